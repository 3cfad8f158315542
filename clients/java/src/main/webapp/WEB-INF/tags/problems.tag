<%@ tag description="The sentences of what is wrong, if anything is." pageEncoding="UTF-8" trimDirectiveWhitespaces="true" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<c:if test="${not empty problems}">
<ul id="problems" class="problems" role="alert">
<c:forEach var="problem" items="${problems}"><li><c:out value="${problem.sentence()}" /></li>
</c:forEach></ul>
</c:if>
