package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class PortPoolTest {

    private final PortPool<Object> ports = new PortPool<>(Object::new);

    @Test
    void borrow_whileAnotherIsOut_lendsAnother() {
        try (PortPool<Object>.Lease one = ports.borrow(); PortPool<Object>.Lease other = ports.borrow()) {
            assertNotSame(one.port(), other.port());
        }
    }

    @Test
    void borrow_afterClose_lendsTheSameAgain() {
        PortPool<Object>.Lease first = ports.borrow();
        Object port = first.port();
        first.close();

        assertSame(port, ports.borrow().port());
        assertThrows(NullPointerException.class, first::port);
    }

    @Test
    void close_twice_givesThePortBackOnce() {
        PortPool<Object>.Lease lease = ports.borrow();
        lease.close();
        lease.close();

        assertNotSame(ports.borrow().port(), ports.borrow().port());
    }
}
