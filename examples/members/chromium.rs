//! Pages made into pictures, by headless Chromium.
//!
//! Owns the browser's processes: each is waited for. The height of each page is asked first, since a picture is as large
//! as its window.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::stories::Picture;

/// CSS pixels: a phone.
const WIDTH: u32 = 400;
/// Pixels of the picture for each.
const SCALE: u32 = 2;
/// CSS pixels below a picture, which are cut off.
const MARGIN: u32 = 400;
/// Bytes of a picture, so that a page of them is loaded soon.
const LARGEST: u64 = 60 * 1_024;

/// Draws each picture into `folder`, as a file of its name.
pub fn draw(pictures: &[Picture], folder: &Path) {
    let work = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder).unwrap();
    for Picture { name, page } in pictures {
        let html = work.path().join("page.html");
        let measuring = "<script>document.title = Math.ceil(document.querySelector('main').getBoundingClientRect().height)</script>";
        std::fs::write(&html, format!("{page}{measuring}")).unwrap();
        let measured = chromium(work.path(), 800, &["--dump-dom"], &html);
        let height: u32 = measured
            .split_once("<title>")
            .and_then(|(_, rest)| rest.split_once("</title>")?.0.parse().ok())
            .expect("the page has a height");
        let file = folder.join(format!("{name}.png"));
        std::fs::write(&html, page).unwrap();
        // What is below the window's edge is not drawn, and an edge is not where it was asked for.
        chromium(work.path(), height + MARGIN, &[&format!("--screenshot={}", file.display())], &html);
        shrink(&file, height * SCALE);
        let size = file.metadata().expect("Chromium draws").len();
        assert!(size <= LARGEST, "{name}.png has {size} bytes, {LARGEST} are allowed");
        println!("{name}.png: {WIDTH}x{height}, {size} bytes");
    }
}

/// A colour: red, green, blue.
type Colour = [u8; 3];
/// Colours of a picture with a palette.
const COLOURS: usize = 32;
/// Colours that are less than this apart are one.
const ALIKE: u32 = 200;

/// How different two colours are.
fn apart(one: Colour, other: Colour) -> u32 {
    one.into_iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

/// Writes the picture anew, cut to `height` pixels, with a palette of its most frequent colours: text and flat areas have
/// few.
fn shrink(file: &Path, height: u32) {
    let mut reader = png::Decoder::new(BufReader::new(File::open(file).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    let (pixels, _) = pixels[..info.buffer_size()].as_chunks::<3>();
    let pixels = &pixels[..usize::try_from(info.width * height).unwrap()];
    let mut counts: HashMap<Colour, usize> = HashMap::new();
    for pixel in pixels {
        *counts.entry(*pixel).or_default() += 1;
    }
    let mut by_frequency: Vec<Colour> = counts.keys().copied().collect();
    by_frequency.sort_by_key(|colour| (std::cmp::Reverse(counts[colour]), *colour));
    let mut palette: Vec<Colour> = Vec::new();
    for colour in by_frequency {
        if palette.len() < COLOURS && palette.iter().all(|known| apart(*known, colour) >= ALIKE) {
            palette.push(colour);
        }
    }
    let nearest = |colour: &Colour| {
        let place = (0..palette.len()).min_by_key(|place| apart(palette[*place], *colour)).unwrap();
        u8::try_from(place).unwrap()
    };
    let places: HashMap<Colour, u8> = counts.keys().map(|colour| (*colour, nearest(colour))).collect();
    let indexed: Vec<u8> = pixels.iter().map(|pixel| places[pixel]).collect();
    let mut encoder = png::Encoder::new(File::create(file).unwrap(), info.width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.write_header().unwrap().write_image_data(&indexed).unwrap();
}

fn chromium(profile: &Path, height: u32, arguments: &[&str], page: &Path) -> String {
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-background-networking",
        ])
        .args(["--font-render-hinting=none", "--disable-lcd-text"])
        .arg(format!("--user-data-dir={}", profile.join("profile").display()))
        .arg(format!("--force-device-scale-factor={SCALE}"))
        .arg(format!("--window-size={WIDTH},{height}"))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .expect("chromium runs: on Debian, apt-get install chromium");
    assert!(output.status.success(), "chromium ended with {}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
