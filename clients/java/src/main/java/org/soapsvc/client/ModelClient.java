package org.soapsvc.client;

/** What the clients of all models can do. Safe to use from many threads; keep one for the whole program. */
public interface ModelClient {

    /** Asks the service about its model; a cheap call that also shows whether the service answers. */
    ModelSummary describe() throws CallFailedException;
}
