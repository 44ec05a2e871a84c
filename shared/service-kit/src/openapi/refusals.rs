//! What the layers and extractors refuse, told in the description of every operation.

use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response};
use utoipa::{PartialSchema, ToSchema};

use crate::error::ErrorKind;
use crate::problem::{PROBLEM_JSON, Problem};

/// A header that cannot be read, no caller, another site's page, and our database away: any
/// operation answers these.
const ALWAYS: [ErrorKind; 4] = [
    ErrorKind::Malformed,
    ErrorKind::Unauthenticated,
    ErrorKind::Forbidden,
    ErrorKind::Unavailable,
];

/// What else an operation answers that reads a body.
const WITH_BODY: [ErrorKind; 4] = [
    ErrorKind::RequestTimeout,
    ErrorKind::PayloadTooLarge,
    ErrorKind::UnsupportedMediaType,
    ErrorKind::Invalid,
];

/// Adds to every operation what it may refuse, as far as its parameters tell. What an operation says
/// itself stays.
pub(super) fn declare(document: &mut OpenApi) {
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    let components = document.components.get_or_insert_default();
    components.schemas.extend(schemas);
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        for kind in refused(operation) {
            let status = kind.status().as_str().to_owned();
            let responses = &mut operation.responses.responses;
            responses.entry(status).or_insert_with(|| response(kind));
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
    ]
    .into_iter()
    .flatten()
}

fn refused(operation: &Operation) -> Vec<ErrorKind> {
    let mut kinds = ALWAYS.to_vec();
    for parameter in operation.parameters.iter().flatten() {
        let RefOr::T(parameter) = parameter else {
            continue;
        };
        let name = parameter.name.to_ascii_lowercase();
        match (&parameter.parameter_in, name.as_str()) {
            (ParameterIn::Path, _) => kinds.push(ErrorKind::NotFound),
            (ParameterIn::Header, "if-match") => kinds.push(ErrorKind::PreconditionFailed),
            // A key that named another request before.
            (ParameterIn::Header, "idempotency-key") => kinds.push(ErrorKind::Invalid),
            _ => {}
        }
    }
    if operation.request_body.is_some() {
        kinds.extend(WITH_BODY);
    }
    kinds
}

fn response(kind: ErrorKind) -> RefOr<Response> {
    let schema = Ref::from_schema_name(Problem::name());
    let mut response = Response::new(kind.title());
    let content = Content::new(Some(schema));
    response
        .content
        .insert(PROBLEM_JSON.to_owned(), content.into());
    RefOr::T(response)
}
