package org.soapsvc.client;

/** An iris flower's measurements, each in centimetres. */
public record Flower(double sepalLength, double sepalWidth, double petalLength, double petalWidth) {
}
