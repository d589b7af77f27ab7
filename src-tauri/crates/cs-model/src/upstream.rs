//! How an upstream server is reached.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How an upstream server is reached.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ts_rs::TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transport {
    /// A child process that speaks over its standard input and output. Never through a shell.
    Stdio {
        /// The program: an absolute path, or a name that is looked up once, when it is added.
        command: String,
        /// Its arguments, each as it is handed over.
        #[serde(default)]
        args: Vec<String>,
        /// Its environment. Nothing else of the gateway's own environment reaches it but `PATH`,
        /// `HOME`, `LANG` and `TMPDIR`.
        #[serde(default)]
        env: BTreeMap<String, Setting>,
        /// Its working directory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        cwd: Option<String>,
    },
    /// A Streamable HTTP endpoint.
    Http {
        /// Its URL: `https`, or `http` on a loopback address.
        url: String,
        /// Headers that are sent with every request.
        #[serde(default)]
        headers: BTreeMap<String, Setting>,
    },
}

/// A value of a header or an environment variable.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ts_rs::TS)]
#[serde(untagged, deny_unknown_fields)]
pub enum Setting {
    /// A secret, by the name under which the tenant keeps it. Resolved at call time.
    Secret {
        /// That name.
        secret: String,
    },
    /// A plain value.
    Text(String),
}
