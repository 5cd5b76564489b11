//! Clients of Elasticsearch and readers of Parquet as they are published, against a real server. Installed by `make deps`; without them the tests are skipped.

use std::path::PathBuf;

use locard_tests::Server;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a script and expects it to say that it passed.
async fn check(program: PathBuf, arguments: &[&str]) -> anyhow::Result<()> {
    if !program.exists() {
        eprintln!("SKIPPED: {} is not there: make deps", program.display());
        return Ok(());
    }
    let server = Server::start().await?;
    let run = tokio::process::Command::new(program)
        .args(arguments)
        .current_dir(root().join("tests/clients"))
        .env("LOCARD_URL", server.url())
        .output()
        .await?;
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    anyhow::ensure!(run.status.success() && said.contains(": passed"), "{}\n{said}", run.status);
    Ok(())
}

async fn python(client: &str) -> anyhow::Result<()> {
    let program = root().join("target/clients").join(client).join("bin/python");
    check(program, &["-W", "ignore", "read.py", client]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_7_for_python_reads() -> anyhow::Result<()> {
    python("es7").await
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_8_for_python_reads() -> anyhow::Result<()> {
    python("es8").await
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_9_for_python_reads() -> anyhow::Result<()> {
    python("es9").await
}

#[tokio::test(flavor = "multi_thread")]
async fn opensearch_for_python_reads() -> anyhow::Result<()> {
    python("opensearch").await
}

#[tokio::test(flavor = "multi_thread")]
async fn arrow_and_duckdb_read_parquet() -> anyhow::Result<()> {
    let program = root().join("target/clients/parquet/bin/python");
    check(program, &["-W", "ignore", "read_parquet.py"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn elastalert_alerts() -> anyhow::Result<()> {
    check(root().join("target/clients/elastalert/bin/python"), &["-W", "ignore", "alert.py"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn elasticsearch_for_javascript_reads() -> anyhow::Result<()> {
    if !root().join("tests/clients/node_modules").exists() {
        eprintln!("SKIPPED: node_modules is not there: make deps");
        return Ok(());
    }
    check(PathBuf::from("/usr/bin/env"), &["node", "read.mjs"]).await
}
