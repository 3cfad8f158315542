<%@ page session="false" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<%@ taglib prefix="t" tagdir="/WEB-INF/tags" %>
<t:page title="Language of a text" current="language">
<p>The longer the text, the surer the answer; the first 1000 letters count.</p>
<t:problems />
<form method="post" action="language">
<div class="field">
<label for="text">Text</label>
<textarea id="text" name="text" rows="6" required dir="auto"<c:if test="${not empty problems}"> aria-invalid="true" aria-describedby="problems"</c:if>>
<c:out value="${param.text}" /></textarea>
</div>
<button type="submit">Classify</button>
</form>
<t:bars caption="How likely each language is" label="Language" />
</t:page>
