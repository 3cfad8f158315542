package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.soapsvc.client.kinds.Instance;
import org.soapsvc.client.kinds.Kinds;
import org.soapsvc.client.kinds.KindsService;

class PortPoolIT {

    private static final int THREADS = 8;
    private static final int CALLS_PER_THREAD = 100;

    private final KindsService service = new KindsService();
    private final PortPool<Kinds> ports = new PortPool<>(() -> Server.at("/soap/kinds/v1", service.getKindsPort()));

    @Test
    void callsOfManyThreads_eachGetTheirOwnAnswer() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Callable<List<Long>>> work =
                    IntStream.range(0, THREADS).<Callable<List<Long>>>mapToObj(thread -> () -> answers(thread)).toList();
            List<Future<List<Long>>> done = threads.invokeAll(work);
            for (int thread = 0; thread < THREADS; thread++) {
                assertEquals(questions(thread), done.get(thread).get());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private List<Long> answers(int thread) throws Exception {
        List<Long> answers = new ArrayList<>();
        for (long question : questions(thread)) {
            Instance instance = KindsCall.instance();
            instance.setTotal(question);
            try (PortPool<Kinds>.Lease lease = ports.borrow()) {
                answers.add(KindsCall.predict(lease.port(), instance).getTotal());
            }
        }
        return answers;
    }

    private static List<Long> questions(int thread) {
        return Stream.iterate(1000L * thread, number -> number + 1).limit(CALLS_PER_THREAD).toList();
    }
}
