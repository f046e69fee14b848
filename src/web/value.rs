//! Plain JavaScript values: dictionaries are built and read key by key, which is smaller than a
//! serializer and tolerates what a browser lacks.

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::Error;

/// A property, `undefined` if there is none or `from` is no object.
#[must_use]
pub fn get(from: &JsValue, key: &str) -> JsValue {
    Reflect::get(from, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
}

/// A method, if the object has it.
#[must_use]
pub fn method(of: &JsValue, key: &str) -> Option<Function> {
    get(of, key).dyn_into().ok()
}

/// Calls a method with up to two arguments.
///
/// # Errors
/// What it throws, or [`super::ErrorName::NotSupported`] if the object lacks it.
pub fn call(on: &JsValue, key: &str, arguments: &[&JsValue]) -> Result<JsValue, Error> {
    let method = method(on, key).ok_or_else(|| Error::missing(key))?;
    let list = Array::new();
    for argument in arguments {
        list.push(argument);
    }
    method.apply(on, &list).map_err(Error::from)
}

/// Makes an object of a class that the page's scripts see under this name.
///
/// # Errors
/// What its constructor throws, or [`super::ErrorName::NotSupported`] if there is no such class.
pub fn construct(class: &str, arguments: &[&JsValue]) -> Result<JsValue, Error> {
    let constructor = method(&js_sys::global(), class).ok_or_else(|| Error::missing(class))?;
    let list = Array::new();
    for argument in arguments {
        list.push(argument);
    }
    Reflect::construct(&constructor, &list).map_err(Error::from)
}

/// A dictionary of the given members.
#[must_use]
pub fn dictionary(members: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (key, value) in members {
        set(&object, key, value);
    }
    object
}

/// Sets a property of an object that we made ourselves, which cannot refuse it.
pub fn set(on: &JsValue, key: &str, value: &JsValue) {
    _ = Reflect::set(on, &JsValue::from_str(key), value);
}
