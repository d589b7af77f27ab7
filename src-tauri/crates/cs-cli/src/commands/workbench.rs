//! `countersign workbench`: the sample MCP server.

use std::path::PathBuf;

use crate::failure::Done;

/// Runs the sample MCP server on standard input and output, inside a folder
#[derive(Debug, clap::Args)]
pub(crate) struct Workbench {
    /// The folder that it may touch
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
}

pub(crate) async fn run(args: Workbench) -> Done {
    Ok(cs_workbench::serve(args.root).await.map_err(anyhow::Error::from)?)
}
