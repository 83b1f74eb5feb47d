import CUV

/// The memory of this process.
public enum ProcessMemory {
  /// Gives what was freed in small pieces back to the system; after a peak it takes milliseconds.
  public static func giveBack() { holdfast_give_memory_back() }
}
