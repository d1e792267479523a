//! HTTP through the bindings of the Bytecode Alliance.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{Headers, IncomingBody, OutgoingBody, OutgoingRequest, Scheme};
use wasip2::io::streams::StreamError;

use crate::text;
use crate::tries::HttpRequest;

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
    Ok(format!("{} {}", response.status(), read(&body)?))
}

fn read(body: &IncomingBody) -> Result<String, String> {
    let stream = body.stream().map_err(|()| "the stream was taken")?;
    let mut content = Vec::new();
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(piece) => content.extend(piece),
            Err(StreamError::Closed) => return String::from_utf8(content).map_err(text),
            Err(error) => return Err(error.to_string()),
        }
    }
}
