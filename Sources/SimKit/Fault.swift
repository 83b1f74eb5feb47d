import Messages

/// What goes wrong in the world around the engine, or comes at any time, each with a mean time
/// between two.
enum Fault: CaseIterable {
  case crash, loss, stall, workerDeath, full, clockJump, drain, upgrade, backup

  func meanMs(_ options: Options) -> Int64 {
    switch self {
    case .crash: options.crashMs
    case .loss: options.lossMs
    case .stall: options.stallMs
    case .workerDeath: options.workerDeathMs
    case .full: options.fullMs
    case .clockJump: options.clockJumpMs
    case .drain: options.drainMs
    case .upgrade: options.upgradeMs
    case .backup: options.backupMs
    }
  }
}

extension Simulation {
  func planFaults() {
    for fault in Fault.allCases { plan(fault) }
  }

  private func plan(_ fault: Fault) {
    let mean = fault.meanMs(options)
    guard mean > 0 else { return }
    time.after(time.dice.int64(0...2 * mean) * 1_000, .fault(fault))
  }

  func strike(_ fault: Fault) {
    guard hasFaults else { return }
    plan(fault)
    switch fault {
    case .crash: host.crash(power: time.dice.percent(options.powerPercent))
    case .loss:
      guard !host.links.isEmpty else { return }
      trace("a connection is lost")
      network.breakOff(time.dice.pick(host.links), loses: true, &time)
    case .stall:
      guard !host.links.isEmpty else { return }
      trace("a peer stops reading")
      let link = time.dice.pick(host.links)
      network.stall(link, us: time.dice.int64(1_000...45_000_000), &time)
      if options.hasFloods { flood(link) }
    case .workerDeath:
      let alive = workers.filter(\.isAlive)
      guard !alive.isEmpty else { return }
      let worker = time.dice.pick(alive)
      let gone = workers.count(where: \.isGoneForGood)
      worker.die(forGood: gone < options.goneForGood && time.dice.percent(50))
    case .full:
      trace("the disk is full")
      host.disk.isFull = true
      time.after(time.dice.int64(1_000...3_000_000), .fullEnds)
    case .drain: host.drain()
    case .upgrade: upgrade()
    case .backup: host.beginBackup()
    case .clockJump:
      trace("the wall clock is set back")
      time.clock.setBack(ms: time.dice.int64(1...120_000))
    }
  }

  /// A peer that reads nothing goes on asking: each Ping is answered, and has no other effect.
  private func flood(_ link: Link) {
    let peer = PeerConnection(link)
    var ping = Ping()
    ping.id = 1_000_000
    let one = peer.bytes(.ping(ping))
    let count = time.dice.int(0...3_000)
    network.sendToEngine(link, Array(repeating: one, count: count).flatMap { $0 }, &time)
  }
}
