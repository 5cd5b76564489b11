//! Makes sure the folder that `rust-embed` reads exists, so that a checkout without Node still compiles.
//! It does not build the console: `make console` does, and cargo then embeds what it finds.

fn main() -> std::io::Result<()> {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(std::path::PathBuf::from).unwrap_or_default();
    std::fs::create_dir_all(root.join("web/dist"))?;
    // The folder's own times change when a build adds or removes a hashed file name.
    println!("cargo::rerun-if-changed=web/dist");
    Ok(())
}
