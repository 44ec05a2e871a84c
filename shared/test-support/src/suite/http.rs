//! Asking the service.

use http::{Method, StatusCode};
use serde_json::Value;

use crate::{TestRequest, TestSuite};

impl TestSuite {
    /// A request to be completed and sent.
    pub fn request(&self, method: Method, path: &str) -> TestRequest {
        TestRequest::new(self.running.public.clone(), self.now(), method, path)
    }

    /// GET; the body of the answer.
    pub async fn get(&self, path: &str, status: StatusCode) -> Value {
        let answer = self.request(Method::GET, path).send().await;
        answer.expect(status).json()
    }

    /// POST with a JSON body, or without one when it is null; the body of the answer.
    pub async fn post(&self, path: &str, body: Value, status: StatusCode) -> Value {
        let request = self.request(Method::POST, path);
        let request = if body.is_null() {
            request
        } else {
            request.json(&body)
        };
        request.send().await.expect(status).json()
    }

    /// PATCH with a JSON merge patch; the body of the answer.
    pub async fn patch(&self, path: &str, body: Value, status: StatusCode) -> Value {
        let request = self.request(Method::PATCH, path).merge_patch(&body);
        request.send().await.expect(status).json()
    }

    /// DELETE; the body of the answer.
    pub async fn delete(&self, path: &str, status: StatusCode) -> Value {
        let answer = self.request(Method::DELETE, path).send().await;
        answer.expect(status).json()
    }
}
