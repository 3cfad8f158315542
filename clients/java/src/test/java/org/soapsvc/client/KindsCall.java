package org.soapsvc.client;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import javax.imageio.ImageIO;
import org.soapsvc.client.kinds.ArrayOfDouble;
import org.soapsvc.client.kinds.ArrayOfLong;
import org.soapsvc.client.kinds.ArrayOfString;
import org.soapsvc.client.kinds.DType;
import org.soapsvc.client.kinds.Instance;
import org.soapsvc.client.kinds.Kinds;
import org.soapsvc.client.kinds.Prediction;
import org.soapsvc.client.kinds.Tensor;

/** A call of the test model kinds (see tests/kinds.py), which answers what it was given. */
final class KindsCall {

    private KindsCall() {
    }

    /** Calls predict with the members of an instance. */
    static Prediction predict(Kinds kinds, Instance one) throws Exception {
        return kinds.predict(
                one.isFlag(), one.getCount(), one.getTotal(), one.getLevel(), one.getRatio(), one.getOffset(),
                one.getNote(), one.getLeft(), one.getRight(), one.getSeries(), one.getCodes(), one.getWords(),
                one.getGrid(), one.getPicture());
    }

    /** Returns a valid instance without its offset. */
    static Instance instance() {
        Instance one = new Instance();
        one.setFlag(true);
        one.setCount(-3);
        one.setTotal(1L << 40);
        one.setLevel(200);
        one.setRatio(0.1);
        one.setNote("note");
        one.setLeft(0.25);
        one.setRight(0.75);
        one.setSeries(doubles(1.5, 2.5, 3.5));
        one.setCodes(longs(7L, 8L));
        one.setWords(strings("one", "two"));
        one.setGrid(grid(1.0, 2.0, 3.0, 4.0, 5.0, 6.0));
        one.setPicture(picture());
        return one;
    }

    static ArrayOfDouble doubles(Double... values) {
        ArrayOfDouble array = new ArrayOfDouble();
        array.getItem().addAll(List.of(values));
        return array;
    }

    static ArrayOfLong longs(Long... values) {
        ArrayOfLong array = new ArrayOfLong();
        array.getItem().addAll(List.of(values));
        return array;
    }

    static ArrayOfString strings(String... values) {
        ArrayOfString array = new ArrayOfString();
        array.getItem().addAll(List.of(values));
        return array;
    }

    /** Returns two rows of three numbers. */
    static Tensor grid(Double... values) {
        Tensor grid = new Tensor();
        grid.setDtype(DType.FLOAT_32);
        grid.setShape(longs(2L, 3L));
        grid.setDoubles(doubles(values));
        return grid;
    }

    /** Returns the PNG of two rows of two pixels whose red, green and blue count from 1 to 12. */
    private static byte[] picture() {
        BufferedImage picture = new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB);
        picture.setRGB(0, 0, 2, 2, new int[] {0x010203, 0x040506, 0x070809, 0x0A0B0C}, 0, 2);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(picture, "png", bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
