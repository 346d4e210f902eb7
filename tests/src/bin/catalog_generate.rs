//! Makes the shipped catalogue of commands: `cargo run -p sekisho-tests --bin catalog-generate -- FOLDER`, where the
//! folder holds a file of JSON lines for each module. Writes `shipped.bin`, and what it holds as `shipped.txt`.

use std::error::Error;
use std::path::Path;

use sekisho_tests::{catalog, source};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("name the folder that holds the modules as JSON lines")?;
    let generated = catalog::generate(Path::new(&folder))?;
    let data = source::root().join("policy/src/catalog/data");
    std::fs::write(data.join("shipped.bin"), &generated.blob)?;
    std::fs::write(data.join("shipped.txt"), &generated.summary)?;
    Ok(())
}
