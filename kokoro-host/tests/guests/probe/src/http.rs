//! HTTP through the bindings of the Bytecode Alliance.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{Headers, OutgoingBody, OutgoingRequest, Scheme};

use crate::tries::HttpRequest;
use crate::{read, text};

pub(crate) fn get(wanted: &HttpRequest) -> Result<String, String> {
    let headers: Vec<_> =
        wanted.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    let request = OutgoingRequest::new(Headers::from_list(&headers).map_err(text)?);
    let set = request.set_scheme(Some(&Scheme::Http));
    let set = set.and_then(|()| request.set_authority(Some(&wanted.authority)));
    set.and_then(|()| request.set_path_with_query(Some(&wanted.path))).map_err(|()| "the address is malformed")?;
    let body = request.body().map_err(|()| "the body was taken")?;
    OutgoingBody::finish(body, None).map_err(text)?;

    let answer = outgoing_handler::handle(request, None).map_err(text)?;
    answer.subscribe().block();
    let response = answer.get().and_then(Result::ok).ok_or("there is no answer")?.map_err(text)?;
    let body = response.consume().map_err(|()| "the body was taken")?;
    let stream = body.stream().map_err(|()| "the stream was taken")?;
    Ok(format!("{} {}", response.status(), read(&stream)?))
}
