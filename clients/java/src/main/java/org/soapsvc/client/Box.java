package org.soapsvc.client;

/** Where something stands in a picture, in pixels; x and y are of the upper left corner. */
public record Box(double x, double y, double width, double height) {
}
