//! Frames of WebSockets, as the server reads a client's and the generator a server's.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    pushoff_server::fuzz::frames(bytes);
    pushoff_loadgen::fuzz::frames(bytes);
});
