mod handshake;
mod hostile;
mod link;
mod resume;
mod vectors;
