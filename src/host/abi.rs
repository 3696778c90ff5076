//! The calls into Envoy (Proxy-Wasm ABI 0.2.1) that this plugin makes, each with its status as a
//! value.
//!
//! The SDK's own wrappers panic on a status that they do not expect and its string getters on bytes
//! that are no UTF-8; a panic takes down every request of the worker. Here a refused call is an
//! `Err`, and headers are bytes. This is the only file with `unsafe` code: Envoy writes into memory
//! that it has this module allocate, as a whole `Vec`.

#![allow(unsafe_code)]

use core::ptr::{null, null_mut};

/// A status other than 0 (ok).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) u32);

/// `cas_mismatch`.
pub(super) const CAS_MISMATCH: Refused = Refused(8);

#[derive(Clone, Copy)]
pub(super) enum Map {
    Request = 0,
    Response = 2,
}

#[derive(Clone, Copy)]
pub(super) enum Buffer {
    Request = 0,
    Response = 1,
    Configuration = 7,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        length: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_buffer_bytes(
        buffer: u32,
        start: usize,
        length: usize,
        data: *const u8,
        size: usize,
    ) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, data: *const u8, size: usize) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        data: *const u8,
        size: usize,
        cas: u32,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
}

fn ok(status: u32) -> Result<(), Refused> {
    if status == 0 { Ok(()) } else { Err(Refused(status)) }
}

/// Runs a call that hands out bytes; none if it hands out nothing.
fn bytes(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Option<Vec<u8>>, Refused> {
    let (mut data, mut size) = (null_mut::<u8>(), 0);
    ok(call(&raw mut data, &raw mut size))?;
    if data.is_null() {
        return Ok(None);
    }
    // SAFETY: Envoy got the memory from `proxy_on_memory_allocate`, which makes it a boxed slice
    // of `size` bytes, and hands it over with this call.
    Ok(Some(unsafe { Vec::from_raw_parts(data, size, size) }))
}

/// All headers, as Envoy serialises them; [`pairs`] takes them apart.
pub(super) fn headers(map: Map) -> Result<Vec<u8>, Refused> {
    // SAFETY: the pointers are valid for the call, as in all of the following.
    let all = bytes(|data, size| unsafe { proxy_get_header_map_pairs(map as u32, data, size) })?;
    Ok(all.unwrap_or_default())
}

/// Takes serialised headers apart: a count, the sizes of each name and value, and then those, each
/// with a NUL behind it; all numbers little-endian.
pub(super) fn pairs(all: &[u8]) -> Vec<(&[u8], &[u8])> {
    fn number(bytes: &mut &[u8]) -> Option<usize> {
        let (number, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(u32::from_le_bytes(*number) as usize)
    }
    fn text<'b>(bytes: &mut &'b [u8], size: usize) -> Option<&'b [u8]> {
        let (text, rest) = bytes.split_at_checked(size)?;
        *bytes = rest.get(1..)?;
        Some(text)
    }
    let mut sizes = all;
    let Some(count) = number(&mut sizes) else { return Vec::new() };
    let Some((mut sizes, mut texts)) = sizes.split_at_checked(count.saturating_mul(8)) else {
        return Vec::new();
    };
    let mut pairs = Vec::with_capacity(count);
    while let (Some(name), Some(value)) = (number(&mut sizes), number(&mut sizes)) {
        let (Some(name), Some(value)) = (text(&mut texts, name), text(&mut texts, value)) else {
            break;
        };
        pairs.push((name, value));
    }
    pairs
}

pub(super) fn set_header(map: Map, name: &str, value: &[u8]) -> Result<(), Refused> {
    // SAFETY: as above.
    ok(unsafe {
        proxy_replace_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

pub(super) fn remove_header(map: Map, name: &str) -> Result<(), Refused> {
    // SAFETY: as above.
    ok(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

pub(super) fn buffer(buffer: Buffer, start: usize, length: usize) -> Result<Vec<u8>, Refused> {
    // SAFETY: as above.
    let window = bytes(|data, size| unsafe {
        proxy_get_buffer_bytes(buffer as u32, start, length, data, size)
    })?;
    Ok(window.unwrap_or_default())
}

/// The first `length` bytes of a buffer become these.
pub(super) fn replace_buffer(buffer: Buffer, length: usize, bytes: &[u8]) -> Result<(), Refused> {
    // SAFETY: as above.
    ok(unsafe { proxy_set_buffer_bytes(buffer as u32, 0, length, bytes.as_ptr(), bytes.len()) })
}

/// `path` has its parts separated by NUL.
pub(super) fn property(path: &str) -> Option<Vec<u8>> {
    // SAFETY: as above.
    let property =
        bytes(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) });
    property.ok().flatten()
}

pub(super) fn set_property(path: &str, value: &[u8]) -> Result<(), Refused> {
    // SAFETY: as above.
    ok(unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) })
}

/// A value of the data that all workers share, with its version.
pub(super) fn shared(key: &str) -> Option<(Vec<u8>, u32)> {
    let mut cas = 0;
    // SAFETY: as above.
    let value = bytes(|data, size| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut cas)
    });
    value.ok().flatten().map(|value| (value, cas))
}

/// Writes a value that still has this version. A version that cannot be writes only what is not
/// there yet.
pub(super) fn set_shared(key: &str, value: &[u8], version: Option<u32>) -> Result<(), Refused> {
    let version = version.unwrap_or(u32::MAX);
    // SAFETY: as above.
    ok(unsafe {
        proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version)
    })
}

pub(super) fn define_counter(name: &str) -> Result<u32, Refused> {
    const COUNTER: u32 = 0;
    let mut id = 0;
    // SAFETY: as above.
    ok(unsafe { proxy_define_metric(COUNTER, name.as_ptr(), name.len(), &raw mut id) })?;
    Ok(id)
}

pub(super) fn increment(counter: u32, by: u64) -> Result<(), Refused> {
    let by = i64::try_from(by).unwrap_or(i64::MAX);
    // SAFETY: as above.
    ok(unsafe { proxy_increment_metric(counter, by) })
}

/// Unix time in milliseconds.
pub(super) fn now_ms() -> u64 {
    let mut nanoseconds = 0;
    // SAFETY: as above.
    let _ = ok(unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) });
    nanoseconds / 1_000_000
}

pub(super) fn tick_every(milliseconds: u32) -> Result<(), Refused> {
    // SAFETY: as above.
    ok(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
}

/// What follows is about another context.
pub(super) fn turn_to(context: u32) -> Result<(), Refused> {
    // SAFETY: as above.
    ok(unsafe { proxy_set_effective_context(context) })
}

/// Lets a held request go on.
pub(super) fn resume_request() -> Result<(), Refused> {
    const REQUEST: u32 = 0;
    // SAFETY: as above.
    ok(unsafe { proxy_continue_stream(REQUEST) })
}

/// Answers the client in place of the upstream.
pub(super) fn reply(status: u32, body: &str) -> Result<(), Refused> {
    const NO_GRPC: i32 = -1;
    // SAFETY: as above.
    ok(unsafe {
        proxy_send_local_response(status, null(), 0, body.as_ptr(), body.len(), null(), 0, NO_GRPC)
    })
}
