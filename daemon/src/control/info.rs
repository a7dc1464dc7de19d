//! stand-in
#[derive(Clone, Debug)]
pub(crate) struct ServerFacts {
    pub(crate) system: String,
    pub(crate) architecture: String,
    pub(crate) host: String,
    pub(crate) user: String,
}
pub(crate) fn server_facts() -> ServerFacts {
    ServerFacts { system: "Linux".into(), architecture: "x86_64".into(), host: "here".into(), user: "me".into() }
}
