//! `make picture`: the picture in the README, of the page that `make demo` has written.

use real::chromium::Page;

const PAGE: &str = "target/demo.html";
const PICTURE: &str = "tests/demo/page.png";

/// Wide enough for both panels side by side, in pixels of the page.
const WIDTH: u64 = 1280;

/// Pixels of the picture for one of the page: sharp on good screens, and small enough for a repository.
const SCALE: f64 = 1.5;

#[tokio::main]
async fn main() {
    let root = e2e::bootstrap::root();
    let mut page = Page::open(&root.join(PAGE)).await;
    page.prefer("light").await;
    let picture = page.picture(WIDTH, SCALE).await;
    std::fs::write(root.join(PICTURE), &picture).expect("a written picture");
    println!("{PICTURE}: {} bytes", picture.len());
}
