//! Makes a permission of every command, so that a window can invoke only what its capability
//! names.

#[path = "src/commands_list.rs"]
mod commands_list;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=../ui/dist");
    let manifest = tauri_build::AppManifest::new().commands(commands_list::COMMANDS);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))?;
    Ok(())
}
