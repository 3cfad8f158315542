import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Says in a line of JSON what came of a feature. */
final class Say {

    private static final int THREADS = 16;
    private static final int CALLS = 500;

    private Say() {
    }

    interface Attempt {
        void run() throws Exception;
    }

    /** A call that sends a number and returns the number that came back. */
    interface Call {
        long of(long number) throws Exception;
    }

    static void feature(String name, Attempt attempt) {
        feature(name, "", attempt);
    }

    static void feature(String name, String note, Attempt attempt) {
        boolean ok = true;
        String said = note;
        try {
            attempt.run();
        } catch (Throwable e) {
            e.printStackTrace();
            ok = false;
            said = e.toString();
        }
        System.out.println(
                "{\"feature\": \"" + name + "\", \"ok\": " + ok + ", \"note\": \"" + escaped(said) + "\"}");
    }

    private static String escaped(String text) {
        StringBuilder json = new StringBuilder();
        text.chars().limit(800).forEach(c -> json.append(
                c < ' ' || c > '~' || c == '"' || c == '\\' ? String.format("\\u%04x", c) : (char) c));
        return json.toString();
    }

    static void check(Object found, Object wanted) {
        if (!Objects.equals(found, wanted)) {
            throw new AssertionError("expected " + wanted + ", received " + found);
        }
    }

    /** Makes a call in each thread and calls it again and again, with numbers of its own. */
    static void inThreads(Callable<Call> newCall) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        List<Future<?>> running = new ArrayList<>();
        for (long thread = 0; thread < THREADS; thread++) {
            long first = thread * CALLS * 10;
            Call call = newCall.call();
            running.add(threads.submit(() -> {
                for (long number = first; number < first + CALLS; number++) {
                    check(call.of(number), number);
                }
                return null;
            }));
        }
        for (Future<?> one : running) {
            one.get();
        }
        threads.shutdown();
    }
}
