//! Reads the texts of a JSON array on stdin and prints, for each, the documents that it holds and its error, as one JSON
//! array: for comparison with kubectl's own reader.

use kubectl_lastout::yaml;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let texts: Vec<String> = serde_json::from_str(&input)?;
    let results: Vec<Value> = texts
        .iter()
        .map(|text| {
            let (documents, error) = yaml::read(text);
            let docs: Vec<Value> = documents.into_iter().map(|document| document.value).collect();
            json!({ "docs": docs, "err": error.map(|error| error.to_string()) })
        })
        .collect();
    std::io::stdout().write_all(serde_json::to_string(&results)?.as_bytes())?;
    Ok(())
}
