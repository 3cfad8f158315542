package org.soapsvc.client;

/**
 * What a service tells about its model.
 *
 * @param version of the model that answers
 * @param maxBatch how many instances one call may hold
 */
public record ModelSummary(String name, String description, long version, int maxBatch) {
}
