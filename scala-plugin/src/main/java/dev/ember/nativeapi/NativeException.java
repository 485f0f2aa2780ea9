package dev.ember.nativeapi;

/** What went wrong on the other side of the border. The native library makes it; the code says what to do next. */
public final class NativeException extends RuntimeException {
  /** The native code panicked: a defect of ours. */
  public static final int PANIC = 0;

  /** Python raised while it started. */
  public static final int PYTHON = 1;

  /** This Python cannot be embedded. */
  public static final int UNAVAILABLE = 2;

  /** A call into the JVM failed. */
  public static final int JNI = 3;

  /** An argument was not what the contract says. */
  public static final int ARGUMENT = 4;

  /** The function returned a batch whose memory does not fit its type. */
  public static final int MALFORMED = 5;

  /** The worker process of the function has gone. */
  public static final int DIED = 6;

  private static final long serialVersionUID = 1L;

  private final int code;

  public NativeException(int code, String message) {
    super(message);
    this.code = code;
  }

  public int code() {
    return code;
  }
}
