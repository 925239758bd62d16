import io.trino.server.Server;

/** Starts Trino, and ends it when standard input ends: the kernel closes that pipe however localaws ends. */
public final class Launcher {
    private Launcher() {}

    public static void main(String[] arguments) {
        Thread.ofPlatform().daemon().name("localaws-watch").start(Launcher::haltAtEndOfInput);
        new Server().start(arguments[0]);
    }

    private static void haltAtEndOfInput() {
        try {
            System.in.transferTo(java.io.OutputStream.nullOutputStream());
        }
        catch (java.io.IOException closed) {
            // The same as its end.
        }
        Runtime.getRuntime().halt(0);
    }
}
