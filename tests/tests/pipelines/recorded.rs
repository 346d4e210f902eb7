//! Bodies of CREATE_PIPELINE that were recorded.

use flate2::read::GzDecoder;
use sekisho_protocol::clixml::decode;
use sekisho_protocol::psrp::CreatePipeline;
use sekisho_tests::source::root;
use serde_json::Value;
use std::error::Error;
use std::fs;
use std::io::Read as _;
use std::path::Path;

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The lines of a recording below `tests/data/psrp`.
fn lines(name: &str) -> Outcome<Vec<Value>> {
    let mut text = String::new();
    GzDecoder::new(fs::File::open(root().join("tests/data/psrp").join(name))?).read_to_string(&mut text)?;
    // What the engine shows of objects that refer to themselves is deeper than this reader of JSON goes.
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// The pipelines that the client of a recording sent, in order.
pub(crate) fn pipelines(name: &str) -> Outcome<Vec<CreatePipeline>> {
    let lines = lines(&format!("{name}.jsonl.gz"))?;
    let bodies = lines.iter().filter(|line| line["message"] == "CREATE_PIPELINE");
    bodies.map(|line| body(line["clixml"].as_str().ok_or("no body")?)).collect()
}

fn body(clixml: &str) -> Outcome<CreatePipeline> {
    Ok(CreatePipeline::decode(&decode(clixml.as_bytes())?)?)
}

/// The bodies of the oracle that our decoder takes.
pub(crate) fn oracle() -> Outcome<Vec<CreatePipeline>> {
    let lines = lines("pipelines.jsonl.gz")?;
    Ok(lines.iter().filter_map(|line| body(line["clixml"].as_str()?).ok()).collect())
}

/// All recordings but those of the hop's target, by name.
pub(crate) fn names() -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for (prefix, folder) in [("", "tests/data/psrp"), ("v23/", "tests/data/psrp/v23")] {
        for entry in fs::read_dir(root().join(folder))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let stem = Path::new(&name).to_string_lossy().strip_suffix(".jsonl.gz").map(str::to_owned);
            names.extend(stem.filter(|stem| stem != "pipelines").map(|stem| format!("{prefix}{stem}")));
        }
    }
    names.sort();
    Ok(names)
}
