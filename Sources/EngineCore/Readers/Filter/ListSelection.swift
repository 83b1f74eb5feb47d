/// What a list or a count asks for, as its query says.
///
///     WorkflowType = 'order' AND NOT ExecutionStatus IN ('Completed', 'Failed')
///     ORDER BY StartTime DESC LIMIT 20
struct ListSelection: Sendable {
  struct Key: Sendable {
    let attribute: ListAttribute
    let isDescending: Bool
  }

  /// A list may be ordered and limited, a count grouped; a batch has a filter alone.
  enum Purpose { case list, count, batch }

  let filter: ListFilter
  /// Empty: newest first.
  let order: [Key]
  /// nil: all.
  let limit: Int64?
  let groups: [ListAttribute]

  init(
    parsing query: String, _ purpose: Purpose, _ limits: EngineLimits,
    attributes: [ListAttribute] = ListAttribute.all
  ) throws(FilterError) {
    guard query.utf8.count <= limits.queryBytesMax else {
      throw FilterError(
        position: 1, expected: "at most \(limits.queryBytesMax) bytes",
        found: "\(query.utf8.count)")
    }
    var parser = FilterParser(query, attributes, limits)
    self = try parser.selection(purpose)
  }

  init(filter: ListFilter, order: [Key], limit: Int64?, groups: [ListAttribute]) {
    self.filter = filter
    self.order = order
    self.limit = limit
    self.groups = groups
  }
}
