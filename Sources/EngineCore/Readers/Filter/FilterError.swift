import Messages

/// Why a query is not one: where, what was expected there and what was found.
struct FilterError: Error {
  /// Counted in characters (Unicode scalars) from 1.
  let position: Int
  let expected: String
  let found: String

  var status: Status {
    .refusal(
      .invalidArgument, .filterInvalid,
      "query: at character \(position): expected \(expected), found \(found)", field: "query")
  }
}
