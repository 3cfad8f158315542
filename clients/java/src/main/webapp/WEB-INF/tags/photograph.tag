<%@ tag description="A form that sends one photograph." pageEncoding="UTF-8" trimDirectiveWhitespaces="true" %>
<%@ attribute name="action" required="true" %>
<%@ attribute name="label" required="true" %>
<%@ attribute name="button" required="true" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<form method="post" action="${action}" enctype="multipart/form-data">
<div class="field">
<label for="image"><c:out value="${label}" />, PNG or JPEG, at most 10 MB</label>
<input id="image" name="image" type="file" accept="image/png,image/jpeg" required<c:if test="${not empty problems}"> aria-invalid="true" aria-describedby="problems"</c:if>>
</div>
<button type="submit"><c:out value="${button}" /></button>
</form>
