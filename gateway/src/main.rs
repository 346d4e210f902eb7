//! The binary `sekisho-gateway`.
#[global_allocator]
static ALLOCATOR: sekisho_protocol::memory::WipingAllocator = sekisho_protocol::memory::WipingAllocator::system();

#[tokio::main]
async fn main() {
    let path = std::env::args().nth(2).unwrap_or_default();
    let out = &mut std::io::stdout();
    if let Err(e) = sekisho_gateway::serve::run(std::path::Path::new(&path), out).await { panic!("{e}") }
}
