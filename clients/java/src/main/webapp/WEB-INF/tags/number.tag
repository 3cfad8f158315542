<%@ tag description="A labelled number of the form, with its unit, and marked when it is at fault." pageEncoding="UTF-8" trimDirectiveWhitespaces="true" %>
<%@ attribute name="name" required="true" %>
<%@ attribute name="label" required="true" %>
<%@ attribute name="example" required="true" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<c:set var="invalid" value="${false}" />
<c:forEach var="problem" items="${problems}"><c:if test="${problem.field() == name}"><c:set var="invalid" value="${true}" /></c:if></c:forEach>
<div class="field">
<label for="${name}"><c:out value="${label}" />&#32;<span class="unit">cm</span></label>
<input id="${name}" name="${name}" type="number" min="0" step="any" required inputmode="decimal" autocomplete="off" placeholder="${example}" value="<c:out value='${param[name]}' />"<c:if test="${invalid}"> aria-invalid="true" aria-describedby="problems"</c:if>>
</div>
