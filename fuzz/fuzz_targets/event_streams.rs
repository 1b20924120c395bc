//! Event streams, as the generator reads them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pushoff_loadgen::fuzz::event_stream(bytes));
