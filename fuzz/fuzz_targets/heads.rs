//! Heads of requests and chunked bodies, as the server reads them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    pushoff_server::fuzz::head(bytes);
    pushoff_server::fuzz::chunks(bytes);
});
