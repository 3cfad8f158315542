package org.soapsvc.client;

/** A label with its probability, 0 to 1. */
public record Score(String label, double probability) {
}
