//! [`Ack`] as `ExportLogsServiceResponse`, the answer to an OTLP request.

use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use prost::Message;

use crate::Ack;

/// The answer in protobuf. Empty when everything was accepted, as the protocol asks.
pub fn encode_answer(ack: &Ack) -> Vec<u8> {
    response(ack).encode_to_vec()
}

/// As [`encode_answer`] in the JSON encoding; 64-bit numbers are strings there.
pub fn encode_answer_json(ack: &Ack) -> String {
    let Some(partial) = response(ack).partial_success else { return "{}".to_owned() };
    let partial = serde_json::json!({
        "rejectedLogRecords": partial.rejected_log_records.to_string(),
        "errorMessage": partial.error_message,
    });
    serde_json::json!({ "partialSuccess": partial }).to_string()
}

/// What a server said to a request that it answered with success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partial {
    /// Records it did not take.
    pub rejected: u64,
    /// Why, in its words; may be a mere warning when nothing was rejected.
    pub message: String,
}

/// The answer to a request in protobuf. Anything that is none says nothing: the status alone is the success.
pub fn decode_answer(body: &[u8]) -> Partial {
    let answer = ExportLogsServiceResponse::decode(body).unwrap_or_default();
    let partial = answer.partial_success.unwrap_or_default();
    Partial {
        rejected: u64::try_from(partial.rejected_log_records).unwrap_or_default(),
        message: partial.error_message,
    }
}

fn response(ack: &Ack) -> ExportLogsServiceResponse {
    let partial_success = ack.rejected.first().map(|first| ExportLogsPartialSuccess {
        rejected_log_records: i64::try_from(ack.rejected_count).unwrap_or(i64::MAX),
        error_message: format!("record {}: {}", first.line, first.reason),
    });
    ExportLogsServiceResponse { partial_success }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rejected;

    #[track_caller]
    fn check(ack: &Ack, protobuf: &[u8], json: &str) {
        assert_eq!(encode_answer(ack), protobuf);
        assert_eq!(encode_answer_json(ack), json);
        assert_eq!(decode_answer(protobuf).rejected, ack.rejected_count);
    }

    #[test]
    fn what_is_no_answer_rejects_nothing() {
        assert_eq!(decode_answer(b"<html>"), Partial::default());
        assert_eq!(decode_answer(b"\x0a\x10\x08\x01\x12\x0crecord 3: no").message, "record 3: no");
    }

    #[test]
    fn a_full_success_is_empty_and_a_partial_one_says_why() {
        check(&Ack { accepted: 2, ..Ack::default() }, b"", "{}");
        let rejected = vec![Rejected { line: 3, reason: "no".into() }];
        let json = r#"{"partialSuccess":{"errorMessage":"record 3: no","rejectedLogRecords":"7"}}"#;
        let ack = Ack { accepted: 2, rejected, rejected_count: 7, ..Ack::default() };
        check(&ack, b"\x0a\x10\x08\x07\x12\x0crecord 3: no", json);
    }
}
