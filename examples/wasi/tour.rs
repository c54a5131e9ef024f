// Looks at its arguments, a variable, a directory and its input, and writes a file.
//
// Built with: rustc --target wasm32-wasip1 -C opt-level=s -C lto -C panic=abort -C strip=symbols -o tour_rs.wasm tour.rs

use std::{env, fs, io};

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    println!("arguments {:?}, NAME={}", args, env::var("NAME").unwrap_or_default());
    let mut names: Vec<_> = fs::read_dir("/data").expect("a directory").map(|e| e.expect("an entry").file_name()).collect();
    names.sort();
    println!("/data has {:?}", names);
    print!("{}", fs::read_to_string("/data/greeting.txt").expect("a file"));
    fs::write("/out/rust.txt", "written by Rust\n").expect("a file to write");
    println!("elsewhere: {}", if fs::read("/elsewhere").is_err() { "nothing" } else { "something" });
    let lines = io::stdin().lines().map(|line| line.expect("a line").to_uppercase()).collect::<Vec<_>>();
    println!("{}", lines.join(", "));
    std::process::exit(args.len() as i32);
}
