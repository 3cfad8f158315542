package org.soapsvc.web;

import java.util.List;

/** A form that can't be sent on as it is. */
final class InvalidForm extends Exception {

    private static final long serialVersionUID = 1L;

    private final transient List<Problem> problems;

    InvalidForm(List<Problem> problems) {
        super(problems.toString());
        this.problems = problems;
    }

    InvalidForm(String field, String sentence) {
        this(List.of(new Problem(field, sentence)));
    }

    /** What is wrong, in the order of the form's fields. */
    List<Problem> problems() {
        return problems;
    }
}
