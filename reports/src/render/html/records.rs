//! What the page holds packed, because most of it is the same again and again: hundreds of records stay a page
//! that can be mailed.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use maud::{Markup, html};

use crate::ReportError;
use crate::words::text::counted;

/// All records, one a line.
pub(super) fn records(lines: &[u8]) -> Result<Markup, ReportError> {
    let count = lines.iter().filter(|byte| **byte == b'\n').count();
    let packed = packed(lines)?;
    Ok(html! {
        p {
            "This file holds " (counted(count, "record")) ", one a line, histograms as HdrHistogram V2 in base64. "
            a #save href="#records" download="records.jsonl" { "Save records.jsonl" }
            " and render it again with " code { "pushoff report" } ". Which record is of which trial stands under "
            a href="#validity" { "Validity" } "."
        }
        script #lines type="application/gzip" { (packed) }
    })
}

/// Base64 of gzip (RFC 1952), which every browser unpacks by itself.
pub(super) fn packed(bytes: &[u8]) -> Result<String, ReportError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.map(|packed| STANDARD.encode(packed)).map_err(ReportError::Pack)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use pushoff_model::Record;

    use super::*;
    use crate::document;
    use crate::findings::study::Study;
    use crate::fixture;
    use crate::render::html::page;

    #[test]
    fn the_records_in_the_page_are_the_records_of_the_run() {
        let mut run = fixture::run();
        run.records[0].workload.question = "</script> <!-- \"?\"".into();
        let page = page(&document::report(&Study::of(&run)).unwrap()).unwrap();
        let start = page.find("id=\"lines\" type=\"application/gzip\">").unwrap();
        let start = start + page[start..].find('>').unwrap() + 1;
        let packed = &page[start..start + page[start..].find("</script>").unwrap()];
        let mut lines = String::new();
        GzDecoder::new(STANDARD.decode(packed).unwrap().as_slice()).read_to_string(&mut lines).unwrap();
        let records: Vec<Record> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(records, run.records);
    }
}
