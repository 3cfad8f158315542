<%@ page session="false" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<%@ taglib prefix="t" tagdir="/WEB-INF/tags" %>
<t:page title="Digits in a photograph" current="digit-reader">
<t:problems />
<t:photograph action="digit-reader" label="Photograph with a row of handwritten digits" button="Read" />
<c:if test="${not empty reading}">
<section class="answer" aria-label="Answer">
<p class="best"><c:out value="${empty reading.text() ? 'No digit was found.' : reading.text()}" /></p>
<t:found things="${reading.digits()}" label="The picture that was sent, with a box around each digit" />
<t:table caption="How sure each digit is, from left to right" label="Digit" />
<p class="version">Answered by version ${modelVersion} of the model.</p>
</section>
</c:if>
</t:page>
