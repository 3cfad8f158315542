<%@ page session="false" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<%@ taglib prefix="t" tagdir="/WEB-INF/tags" %>
<t:page title="Digits in a photograph" current="digit-reader">
<t:problems />
<form method="post" action="digit-reader" enctype="multipart/form-data">
<div class="field">
<label for="image">Photograph with a row of handwritten digits, PNG or JPEG, at most 10 MB</label>
<input id="image" name="image" type="file" accept="image/png,image/jpeg" required<c:if test="${not empty problems}"> aria-invalid="true" aria-describedby="problems"</c:if>>
</div>
<button type="submit">Read</button>
</form>
<c:if test="${not empty reading}">
<section class="answer" aria-label="Answer">
<p class="best"><c:out value="${reading.text()}" default="No digit was found." /></p>
<c:if test="${not empty picture}">
<svg class="found" viewBox="0 0 ${width} ${height}" role="img" aria-label="The picture that was sent, with a box around each digit">
<image href="${picture}" width="${width}" height="${height}" />
<c:forEach var="place" items="${reading.digits()}"><rect x="${place.x()}" y="${place.y()}" width="${place.width()}" height="${place.height()}" />
</c:forEach></svg>
</c:if>
<c:if test="${not empty bars}">
<table class="bars">
<caption>How sure each digit is, from left to right</caption>
<thead><tr><th scope="col">Digit</th><th scope="col" class="share">Probability</th></tr></thead>
<tbody>
<c:forEach var="bar" items="${bars}"><tr>
<th scope="row"><c:out value="${bar.label()}" /></th>
<td><svg class="bar" aria-hidden="true" focusable="false"><rect class="track" width="100%" height="100%" rx="4"/><rect class="value" width="${bar.percent()}%" height="100%" rx="4"/></svg>
<span class="percent">${bar.text()}</span></td>
</tr>
</c:forEach></tbody>
</table>
</c:if>
<p class="version">Answered by version ${modelVersion} of the model.</p>
</section>
</c:if>
</t:page>
