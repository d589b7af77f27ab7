//! Where a Vault is, and how it is logged in to.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

const PATHS: &str =
    "a path of Vault is of letters, digits, `-`, `_` and `.`, and `/` between its parts";

/// Where a Vault is, and how it is logged in to. No secret stands in it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VaultPlace {
    /// Its address: `https`, or `http` on this machine.
    pub address: String,
    /// The namespace, where it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Where the key-value engine of version 2 is mounted.
    pub mount: String,
    /// The path below it.
    pub path: String,
    /// What sets those of one move apart from those of any other, so that whatever the place is
    /// called, no copy is made over what it is copied from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelf: Option<String>,
    /// Whose certificates to believe besides those that the system does (PEM).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// How to log in.
    pub login: VaultLogin,
}

/// How a Vault is logged in to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "with")]
pub enum VaultLogin {
    /// As an AppRole.
    #[serde(rename = "approle")]
    AppRole {
        /// Where the method is mounted.
        mount: String,
        /// The role's id.
        role_id: String,
        /// The file with its secret id.
        secret_id_file: PathBuf,
    },
    /// With a JWT, such as that of a service account of Kubernetes.
    Jwt {
        /// Where the method is mounted.
        mount: String,
        /// The role.
        role: String,
        /// The file with the JWT.
        jwt_file: PathBuf,
    },
}

impl VaultPlace {
    /// Says what is wrong with it.
    ///
    /// # Errors
    ///
    /// The rule that it breaks, for a person.
    pub fn check(&self) -> Result<(), &'static str> {
        let url = Url::parse(&self.address).map_err(|_| "the address of Vault is not a URL")?;
        match url.scheme() {
            "https" => {}
            "http" if is_here(&url) => {}
            _ => return Err("Vault is spoken to over `https`; over `http` on this machine alone"),
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err("the address of Vault is a scheme, a host and a port, and nothing else");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address of Vault has no user and no password in it");
        }
        let login_mount = match &self.login {
            VaultLogin::AppRole { mount, .. } | VaultLogin::Jwt { mount, .. } => mount,
        };
        let shelf = self.shelf.as_deref().unwrap_or("none");
        let paths = [self.mount.as_str(), &self.path, login_mount, shelf];
        if !paths.into_iter().all(is_path) {
            return Err(PATHS);
        }
        let namespace = self.namespace.as_deref();
        if !namespace.is_none_or(|it| is_path(it.trim_end_matches('/'))) {
            return Err("a namespace of Vault is a path");
        }
        let (who, file) = match &self.login {
            VaultLogin::AppRole { role_id, secret_id_file, .. } => (role_id, secret_id_file),
            VaultLogin::Jwt { role, jwt_file, .. } => (role, jwt_file),
        };
        if who.is_empty() || !who.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the login says no role");
        }
        if !file.is_absolute() || self.ca_file.as_ref().is_some_and(|it| !it.is_absolute()) {
            return Err("a file is named by its whole path");
        }
        Ok(())
    }

    /// A policy of Vault that allows an installation what it needs at a path, and nothing else, in
    /// HCL.
    ///
    /// # Errors
    ///
    /// The rule that the mount or the path breaks, for a person.
    pub fn policy(mount: &str, path: &str, instance: &str) -> Result<String, &'static str> {
        if !is_path(mount) || !is_path(path) {
            return Err(PATHS);
        }
        let rule = |kind: &str, capabilities: &str| {
            format!(
                "path \"{mount}/{kind}/{path}/{instance}/*\" {{\n  capabilities = [{capabilities}]\n}}\n"
            )
        };
        let data = rule("data", r#""create", "read", "update""#);
        let metadata = rule("metadata", r#""create", "update", "delete""#);
        Ok(format!("{data}{metadata}"))
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

fn is_path(path: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.chars().all(|it| it == '.')
            && part.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it))
    };
    path.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(address: &str) -> VaultPlace {
        VaultPlace {
            address: address.to_owned(),
            namespace: Some("team/a".to_owned()),
            mount: "secret".to_owned(),
            path: "countersign".to_owned(),
            shelf: None,
            ca_file: None,
            login: VaultLogin::AppRole {
                mount: "approle".to_owned(),
                role_id: "5f2c".to_owned(),
                secret_id_file: PathBuf::from("/run/secret-id"),
            },
        }
    }

    #[test]
    fn vault_is_spoken_to_over_tls_but_on_this_machine() {
        for good in ["https://vault.example:8200", "http://127.0.0.1:8200", "http://[::1]:8200"] {
            assert_eq!(place(good).check(), Ok(()), "{good}");
        }
        for bad in [
            "http://vault.example:8200",
            "http://127.0.0.1.example:8200",
            "ftp://vault.example",
            "https://user:word@vault.example",
            "https://vault.example/v1",
            "https://vault.example?x",
            "vault",
        ] {
            assert!(place(bad).check().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_leads_nowhere_else() {
        for bad in ["", "/", "a/", "/a", "a//b", "..", "a/../b", "a?b", "a b", "a%2fb", "a#b"] {
            let with = |change: fn(&mut VaultPlace, String)| {
                let mut place = place("https://vault.example");
                change(&mut place, bad.to_owned());
                place.check()
            };
            assert!(with(|it, bad| it.mount = bad).is_err(), "mount {bad}");
            assert!(with(|it, bad| it.path = bad).is_err(), "path {bad}");
            let login = with(|it, bad| {
                it.login = VaultLogin::Jwt {
                    mount: bad,
                    role: "r".to_owned(),
                    jwt_file: PathBuf::from("/run/jwt"),
                };
            });
            assert!(login.is_err(), "login {bad}");
        }
        let mut relative = place("https://vault.example");
        relative.ca_file = Some(PathBuf::from("ca.pem"));
        assert!(relative.check().is_err());
    }

    #[test]
    fn the_policy_is_for_this_installation_alone() {
        let policy = VaultPlace::policy("secret", "countersign", "3f0c").unwrap();
        assert!(VaultPlace::policy("secret\" {}", "countersign", "3f0c").is_err());
        assert_eq!(
            policy,
            "path \"secret/data/countersign/3f0c/*\" {\n  \
               capabilities = [\"create\", \"read\", \"update\"]\n}\n\
             path \"secret/metadata/countersign/3f0c/*\" {\n  \
               capabilities = [\"create\", \"update\", \"delete\"]\n}\n"
        );
    }
}
