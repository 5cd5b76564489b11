use std::path::Path;
use std::time::Duration;

use locard_tests::{Server, ServerOptions, eventually};

/// Issue test 6. The checks themselves are in `ui/web/e2e/console.mjs`; this starts a real server with the demo incident for them.
#[tokio::test(flavor = "multi_thread")]
async fn the_console_works_in_chromium() -> anyhow::Result<()> {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/web");
    for (needed, hint) in [
        ("/usr/bin/chromium", "apt-get install chromium"),
        ("node_modules", "make deps"),
        ("dist/index.html", "make console"),
    ] {
        if !web.join(needed).exists() {
            eprintln!("SKIPPED: {needed} is not there: {hint}");
            return Ok(());
        }
    }
    let config = "collector: {enabled: false}\n".to_owned();
    let options = ServerOptions {
        command: "up",
        arguments: vec!["--demo".into()],
        config: Some(config),
        ..ServerOptions::default()
    };
    let server = Server::start_with(options).await?;
    let client = server.client();
    eventually(Duration::from_secs(20), async || {
        let events = client.count("*").await?;
        anyhow::ensure!(events > 1000, "{events} demo events");
        Ok(())
    })
    .await?;
    // UPDATE=1 renews the picture of the README.
    let screenshot = match std::env::var_os("UPDATE") {
        Some(_) => web.join("../../docs/console.png"),
        None => server.data().with_file_name("console.png"),
    };
    let run = tokio::process::Command::new("node")
        .arg("e2e/console.mjs")
        .current_dir(&web)
        .env("LOCARD_URL", server.url())
        .env("SCREENSHOT", screenshot)
        .output()
        .await?;
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    anyhow::ensure!(run.status.success(), "{}\n{said}", run.status);
    anyhow::ensure!(said.contains(" passed, 0 failed"), "{said}");
    Ok(())
}
