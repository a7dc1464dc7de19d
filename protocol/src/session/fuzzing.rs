//! The bodies of the fuzz targets `session_server`, `session_client` and `session_pair`.
