package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.soapsvc.client.language.Language;
import org.soapsvc.client.language.LanguageService;

class LanguageIT {

    private final Language language = Server.at("/soap/language/v1", new LanguageService().getLanguagePort());

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "Guten Morgen, wie geht es Ihnen?                    | de",
        "你好 & <ü>                                          | zh",
        "Où est la bibliothèque, s'il vous plaît ?           | fr",
        "Доброе утро, как у вас дела?                        | ru",
    })
    void predict_ofAText_saysItsLanguage(String text, String code) throws Exception {
        assertEquals(code, language.predict(text).getProbabilities().getItem().get(0).getLabel());
    }
}
