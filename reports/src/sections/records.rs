//! Every record, whole, inside the page: to be looked at and to be saved.

use maud::{Markup, PreEscaped, html};

use crate::ReportError;
use crate::study::Study;

pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    let mut lines = String::new();
    for record in &study.run.records {
        lines.push_str(&serde_json::to_string(record).map_err(ReportError::Embed)?);
        lines.push('\n');
    }
    let count = study.run.records.len();
    Ok(html! {
        section #records {
            h2 { "Raw records" }
            p {
                "All " (count) " records stand in this file, one a line, histograms as HdrHistogram V2 in base64. "
                a #save href="#records" download="records.jsonl" { "Save records.jsonl" }
                " and render it again with " code { "pushoff report" } "."
            }
            // In JSON a `<` occurs only within a string, where its escape means the same.
            script #lines type="application/x-ndjson" { (PreEscaped(lines.replace('<', "\\u003c"))) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use pushoff_model::Record;

    #[test]
    fn the_records_in_the_page_are_the_records_of_the_run() {
        let mut run = fixture::run();
        run.records[0].workload.question = "</script> <!-- \"?\"".into();
        let page = section(&Study::of(&run)).unwrap().into_string();
        let start = page.find("x-ndjson\">").unwrap() + "x-ndjson\">".len();
        let lines = &page[start..start + page[start..].find("</script>").unwrap()];
        let records: Vec<Record> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(records, run.records);
    }
}
