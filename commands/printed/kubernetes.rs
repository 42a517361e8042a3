//! A token as an `ExecCredential`, for kubectl and all that reads its configuration.
//!
//! Owns the versions of that object that are spoken. Invariant: the answer has the version that the caller asks for, which takes
//! no other. Must not: guess what a version means that is not known here.

use latchkey::broker::FreshToken;
use serde::{Deserialize, Serialize};

use super::rfc3339;

/// A version of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Since Kubernetes 1.22.
    V1,
    /// Before, and still.
    V1Beta1,
}

impl Version {
    fn name(self) -> &'static str {
        match self {
            Self::V1 => "client.authentication.k8s.io/v1",
            Self::V1Beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }
}

/// A question that is not understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unknown {
    /// Not an object of this kind.
    #[error(
        "KUBERNETES_EXEC_INFO, which kubectl sets, is not an ExecCredential; unset it to get client.authentication.k8s.io/v1"
    )]
    Unreadable,
    /// An older or newer one.
    #[error(
        "the kubeconfig asks for {0:?}, which is not known here; \
         write apiVersion: client.authentication.k8s.io/v1 (or v1beta1 for kubectl before 1.22) below its exec:"
    )]
    Version(String),
}

/// What kubectl tells a plugin, as far as it matters.
#[derive(Deserialize)]
struct Asked {
    #[serde(rename = "apiVersion")]
    version: String,
}

/// The version that `KUBERNETES_EXEC_INFO` asks for; v1 where nobody does.
pub(super) fn version(info: Option<&str>) -> Result<Version, Unknown> {
    let Some(info) = info.filter(|info| !info.trim().is_empty()) else { return Ok(Version::V1) };
    let Asked { version } = serde_json::from_str(info).map_err(|_| Unknown::Unreadable)?;
    let known = [Version::V1, Version::V1Beta1].into_iter().find(|known| known.name() == version);
    known.ok_or(Unknown::Version(version))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Credential<'a> {
    api_version: &'static str,
    kind: &'static str,
    status: Status<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    token: &'a str,
    /// Without it, the caller keeps the token until it is rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_timestamp: Option<String>,
}

/// The object.
pub(super) fn credential(token: &FreshToken, version: Version) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Credential {
        api_version: version.name(),
        kind: "ExecCredential",
        status: Status {
            token: token.access_token.expose(),
            expiration_timestamp: token.expires_at.map(rfc3339),
        },
    })
}
