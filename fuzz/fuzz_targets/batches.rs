//! NDJSON batches, as the server reads them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pushoff_server::fuzz::batch(bytes));
