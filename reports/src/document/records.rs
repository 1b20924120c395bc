//! Every record, whole, inside the page: to be looked at and to be saved.
//!
//! Packed, because most of it is the same in every record: hundreds of them stay a page that can be
//! mailed.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use maud::html;

use super::{Block, Section};
use crate::ReportError;
use crate::study::Study;

pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    let mut lines = Vec::new();
    for record in &study.run.records {
        serde_json::to_writer(&mut lines, record).map_err(ReportError::Embed)?;
        lines.push(b'\n');
    }
    let packed = packed(&lines)?;
    let count = study.run.records.len();
    let block = html! {
        p {
            "All " (count) " records stand in this file, one a line, histograms as HdrHistogram V2 in base64. "
            a #save href="#records" download="records.jsonl" { "Save records.jsonl" }
            " and render it again with " code { "pushoff report" } ". Which record is of which trial stands under "
            a href="#validity" { "Validity" } "."
        }
        script #lines type="application/gzip" { (packed) }
    };
    Ok(Section::titled("records", "Raw records", vec![Block::Page(block)]))
}

/// Base64 of gzip (RFC 1952), which every browser unpacks by itself.
pub(crate) fn packed(bytes: &[u8]) -> Result<String, ReportError> {
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
    use crate::fixture;

    #[test]
    fn the_records_in_the_page_are_the_records_of_the_run() {
        let mut run = fixture::run();
        run.records[0].workload.question = "</script> <!-- \"?\"".into();
        let section = section(&Study::of(&run)).unwrap();
        let Block::Page(page) = &section.blocks[0] else { panic!("no page") };
        let page = page.clone().into_string();
        let start = page.find("gzip\">").unwrap() + "gzip\">".len();
        let packed = &page[start..start + page[start..].find("</script>").unwrap()];
        let mut lines = String::new();
        GzDecoder::new(STANDARD.decode(packed).unwrap().as_slice()).read_to_string(&mut lines).unwrap();
        let records: Vec<Record> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(records, run.records);
    }
}
