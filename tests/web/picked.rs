//! Files that a person gives: read in slices, once for all who want the same; folders; pictures.

use js_sys::{Array, Function, Uint8Array};
use visavis::web::dropped::{self, Dropped, Folder};
use visavis::web::reader::{Reader, Which};
use visavis::web::{ErrorName, blob, picture, value};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{DataTransfer, HtmlCanvasElement};

use crate::pair::settled;

fn file(name: &str, content: &[u8]) -> JsValue {
    let parts = Array::of1(&Uint8Array::from(content));
    let options = value::dictionary(&[("lastModified", 1234.into())]);
    let class: Function = value::method(&js_sys::global(), "File").unwrap();
    let arguments = Array::of3(&parts, &name.into(), &options);
    js_sys::Reflect::construct(&class, &arguments).unwrap()
}

#[wasm_bindgen_test]
async fn a_file_is_read_in_slices() {
    let file = file("letters", b"abcdefgh");
    assert_eq!((blob::size(&file), blob::modified(&file)), (8, 1234));
    assert_eq!(blob::read(&file, 2, 3).await.unwrap().to_vec(), b"cde");
    assert_eq!(blob::read(&file, 8, 0).await.unwrap().length(), 0);
    // One that has become shorter is another one.
    let short = blob::read(&file, 6, 3).await.unwrap_err();
    assert_eq!(short.name, ErrorName::NotReadable);
    assert!(blob::read(&JsValue::NULL, 0, 1).await.is_err());
}

#[wasm_bindgen_test]
async fn a_file_that_is_gone_cannot_be_read() {
    // A file on disk that goes away under the page, as the person's own may.
    let folder = visavis::web::folder::open_private().await.unwrap();
    folder.write("goes-away", &"content".into()).await.unwrap();
    let file = folder.file("goes-away").await.unwrap();
    assert_eq!(blob::read(&file, 0, 7).await.unwrap().to_vec(), b"content");
    folder.remove("goes-away").await.unwrap();
    let gone = blob::read(&file, 0, 7).await;
    let error = gone.unwrap_err();
    // Firefox has a word of its own for it here.
    assert!(blob::is_changed(&error), "{error}");
}

#[wasm_bindgen_test]
async fn a_block_is_read_once_for_all_who_keep_step() {
    let reader = Reader::default();
    let file = file("letters", b"abcdefgh");
    let which = |source, number| Which { source, number };
    // All at once, and one a little later.
    let reads = [(); 3].map(|()| reader.read(which(1, 0), &file, 0, 4));
    for read in reads {
        assert_eq!(read.await.unwrap().bytes.bytes().to_vec(), b"abcd");
    }
    let later = reader.read(which(1, 0), &file, 0, 4).await.unwrap();
    assert_eq!(later.hash[..2], [0x88, 0xd4], "SHA-256 of abcd");
    assert_eq!(reader.reads(), 1);
    // Another block, and the same of another source.
    reader.read(which(1, 1), &file, 4, 4).await.unwrap();
    reader.read(which(2, 0), &file, 0, 4).await.unwrap();
    assert_eq!(reader.reads(), 3);
    // Who is far behind reads by themselves: no more than a few are kept.
    for number in 2..6 {
        reader.read(which(1, number), &file, 0, 4).await.unwrap();
    }
    reader.read(which(1, 0), &file, 0, 4).await.unwrap();
    assert_eq!(reader.reads(), 8);
    reader.forget_all();
    reader.read(which(1, 0), &file, 0, 4).await.unwrap();
    assert_eq!(reader.reads(), 9);
    let failed = reader.read(which(1, 9), &file, 6, 4).await.unwrap_err();
    assert_eq!(failed.name, ErrorName::NotReadable, "errors keep their names");
}

#[wasm_bindgen_test]
fn dropped_files_are_taken_and_texts_are_not() {
    let transfer = DataTransfer::new().unwrap();
    let items = value::get(&transfer, "items");
    value::call(&items, "add", &[&"a text".into(), &"text/plain".into()]).unwrap();
    assert!(dropped::of(&transfer, 9).is_empty());
    for name in ["one.png", "two.png", "three.png"] {
        value::call(&items, "add", &[&file(name, b"x")]).unwrap();
    }
    let names: Vec<String> = dropped::of(&transfer, 2)
        .into_iter()
        .map(|thing| match thing {
            Dropped::File(given) => given.path,
            Dropped::Folder(_) => "a folder".to_owned(),
        })
        .collect();
    assert_eq!(names, ["one.png", "two.png"]);
}

/// A folder as `webkitGetAsEntry` gives it; no test can drop a real one.
fn folder(make: &str) -> Folder {
    let script = "
        const file = name => ({ name, isDirectory: false,
            file: done => done(new File(['x'], name)) });
        const folder = (name, ...entries) => ({ name, isDirectory: true, createReader() {
            const left = [...entries];
            return { readEntries: done => setTimeout(() => done(left.splice(0, 2))) };
        } });
        return ";
    Folder::new(
        Function::new_no_args(&[script, make].concat())
            .call0(&JsValue::NULL)
            .unwrap(),
    )
}

#[wasm_bindgen_test]
async fn a_folder_is_read_to_its_depth_and_no_further() {
    let paths = async |make: &str, most, depth| {
        let files = folder(make).files(most, depth).await.unwrap();
        let mut paths: Vec<String> = files.into_iter().map(|given| given.path).collect();
        paths.sort();
        paths
    };
    let make = "folder('top', file('a'), file('b'), file('c'), folder('in', file('d'), folder('deep', file('e'))), folder('empty'))";
    let all = ["top/a", "top/b", "top/c", "top/in/d", "top/in/deep/e"];
    assert_eq!(paths(make, 100, 16).await, all);
    assert_eq!(paths(make, 3, 16).await.len(), 3, "no more than wanted");
    // What is not looked into is seen by its depth.
    let shallow = ["top/a", "top/b", "top/c", "top/in/d", "top/in/deep"];
    assert_eq!(paths(make, 100, 1).await, shallow);
    let fails = "({ name: 'x', isDirectory: true, createReader: () => ({
        readEntries: (done, failed) => failed(new DOMException('', 'NotFoundError')) }) })";
    let failed = folder(fails).files(9, 9).await.unwrap_err();
    assert_eq!(failed.name, ErrorName::NotFound);
    // One that holds itself, as a link may.
    let endless = "(() => { const top = folder('top'); top.createReader = () => {
        let left = [top]; return { readEntries: done => done(left.splice(0)) }; }; return top; })()";
    assert_eq!(paths(endless, 100, 16).await.len(), 1);
}

fn canvas(width: u32, height: u32) -> HtmlCanvasElement {
    let document = web_sys::window().unwrap().document().unwrap();
    let canvas: HtmlCanvasElement = document.create_element("canvas").unwrap().unchecked_into();
    canvas.set_width(width);
    canvas.set_height(height);
    canvas
}

/// A red picture of this size, encoded.
async fn picture(width: u32, height: u32) -> JsValue {
    let make = Function::new_with_args(
        "canvas",
        "const context = canvas.getContext('2d');
        context.fillStyle = '#f00';
        context.fillRect(0, 0, canvas.width, canvas.height);
        return new Promise(done => canvas.toBlob(done));",
    );
    let made = make.call1(&JsValue::NULL, &canvas(width, height)).unwrap();
    blob::join(&Array::of1(&settled(made).await)).unwrap()
}

fn first_pixel(canvas: &HtmlCanvasElement) -> Vec<u8> {
    let read = "return Array.from(canvas.getContext('2d').getImageData(0, 0, 1, 1).data)";
    let pixel = Function::new_with_args("canvas", read)
        .call1(&JsValue::NULL, canvas)
        .unwrap();
    Uint8Array::new(&pixel).to_vec()
}

#[wasm_bindgen_test]
async fn a_picture_is_drawn_within_its_place() {
    for (place, wanted) in [
        ((100, 100), (100, 25)),
        ((1000, 1000), (400, 100)),
        ((50, 5), (20, 5)),
    ] {
        let canvas = canvas(place.0, place.1);
        picture::draw(&picture(400, 100).await, &canvas).await.unwrap();
        assert_eq!((canvas.width(), canvas.height()), wanted);
        assert_eq!(first_pixel(&canvas), [255, 0, 0, 255]);
    }
}

#[wasm_bindgen_test]
async fn what_is_no_picture_is_not_drawn_whatever_it_is_called() {
    let svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><script>document.title='owned'</script></svg>";
    let declared = value::construct(
        "Blob",
        &[
            &Array::of1(&svg.into()),
            &value::dictionary(&[("type", "image/png".into())]),
        ],
    );
    let contents = [
        file("picture.png", svg.as_bytes()),
        declared.unwrap(),
        blob::join(&Array::of1(&svg.into())).unwrap(),
        file("picture.png", b"<html><script>document.title='owned'</script>"),
        file("picture.png", b""),
        file("picture.png", b"\x89PNG\r\n\x1a\nnonsense"),
    ];
    for content in contents {
        let canvas = canvas(10, 10);
        assert!(picture::draw(&content, &canvas).await.is_err());
        assert_eq!((canvas.width(), canvas.height()), (10, 10));
    }
    assert_ne!(web_sys::window().unwrap().document().unwrap().title(), "owned");
}
